/** Fetches and enumerations. */
@NullMarked
package io.daosmesh.engine.read;

import org.jspecify.annotations.NullMarked;
