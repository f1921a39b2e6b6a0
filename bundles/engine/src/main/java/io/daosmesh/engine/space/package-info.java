/** Deletes what is no longer wanted or no longer seen, step by step. Pure. */
@NullMarked
package io.daosmesh.engine.space;

import org.jspecify.annotations.NullMarked;
