/** Threads, RPC, OSGi and metrics around the target loops. */
@NullMarked
package io.daosmesh.engine.runtime;

import org.jspecify.annotations.NullMarked;
