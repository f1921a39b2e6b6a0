/** Brings back records whose bytes cannot be read here, from replicas that still have them. */
@NullMarked
package io.daosmesh.engine.repair;

import org.jspecify.annotations.NullMarked;
