/** Networks of meshes whose nodes have a network namespace each. */
@NullMarked
package io.daosmesh.cli.mesh.net;

import org.jspecify.annotations.NullMarked;
