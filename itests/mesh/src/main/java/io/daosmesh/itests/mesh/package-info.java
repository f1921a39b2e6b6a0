/** The local mesh as a user runs it: the demo, the benchmarks, and what the process tests stand on. */
@NullMarked
package io.daosmesh.itests.mesh;

import org.jspecify.annotations.NullMarked;
