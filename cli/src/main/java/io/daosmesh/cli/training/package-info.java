/** Part of the build: the calls whose classes the archive of the tools holds. */
@org.jspecify.annotations.NullMarked
package io.daosmesh.cli.training;
