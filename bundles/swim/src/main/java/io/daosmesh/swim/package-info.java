/** SWIM failure detection with Lifeguard: the pure protocol. Time comes in as {@code nowNs}, effects go out. */
@NullMarked
package io.daosmesh.swim;

import org.jspecify.annotations.NullMarked;
