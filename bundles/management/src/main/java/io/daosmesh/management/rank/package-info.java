/** How the ranks of a node come into the system, and how news of dead ones travel. Pure. */
@NullMarked
package io.daosmesh.management.rank;

import org.jspecify.annotations.NullMarked;
