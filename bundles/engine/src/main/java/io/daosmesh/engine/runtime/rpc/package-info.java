/** Requests of clients and of the pool service to the targets. */
@NullMarked
package io.daosmesh.engine.runtime.rpc;

import org.jspecify.annotations.NullMarked;
