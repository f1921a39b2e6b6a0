/** Time, chance, memory and disks of a simulated machine. */
@NullMarked
package io.daosmesh.itests.sim.machine;

import org.jspecify.annotations.NullMarked;
