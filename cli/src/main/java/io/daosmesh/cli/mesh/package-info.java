/** Local meshes: real storage nodes of this machine, one process each, as {@code ./mesh} starts, watches and stops them. */
@org.jspecify.annotations.NullMarked
package io.daosmesh.cli.mesh;
