/** Runs the protocol: one loop, gossip by fire-and-forget, OSGi wiring, metrics. */
@NullMarked
package io.daosmesh.swim.runtime;

import org.jspecify.annotations.NullMarked;
