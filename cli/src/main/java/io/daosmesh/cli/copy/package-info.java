/** Copies trees of files between a machine and the file systems of containers. */
@org.jspecify.annotations.NullMarked
package io.daosmesh.cli.copy;
