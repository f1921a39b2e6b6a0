/** Requests as they come in: measured and parsed. Pure. */
@NullMarked
package io.daosmesh.engine.request;

import org.jspecify.annotations.NullMarked;
