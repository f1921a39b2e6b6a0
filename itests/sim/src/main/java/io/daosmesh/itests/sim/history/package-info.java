/** What clients were told and when, and whether one order of their calls explains all of it. Pure. */
@NullMarked
package io.daosmesh.itests.sim.history;

import org.jspecify.annotations.NullMarked;
