/** Seeded simulator: the shipped protocol classes in virtual time, in one thread. A run is its seed. */
@NullMarked
package io.daosmesh.itests.sim;

import org.jspecify.annotations.NullMarked;
