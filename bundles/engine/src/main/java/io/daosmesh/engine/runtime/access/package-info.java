/** Lets in what a container handle allows. */
@NullMarked
package io.daosmesh.engine.runtime.access;

import org.jspecify.annotations.NullMarked;
