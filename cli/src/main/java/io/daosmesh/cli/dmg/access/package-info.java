/** How the commands of dmg reach the system: as a tool of its own, or within a node. */
@org.jspecify.annotations.NullMarked
package io.daosmesh.cli.dmg.access;
