/** {@code ./mesh torture}: data of several classes on real nodes under random faults, and a model of what reads may answer. */
@NullMarked
package io.daosmesh.itests.mesh.torture;

import org.jspecify.annotations.NullMarked;
