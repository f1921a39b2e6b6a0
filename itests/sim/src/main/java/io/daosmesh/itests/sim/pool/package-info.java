/** A pool in virtual time: the shipped targets, leases and rebuild over a network, disks and processes that fail. */
@NullMarked
package io.daosmesh.itests.sim.pool;

import org.jspecify.annotations.NullMarked;
