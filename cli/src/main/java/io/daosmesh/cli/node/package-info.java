/** The commands of dmg within a node: an OSGi service that the console shows. See docs/decisions/0049. */
@org.jspecify.annotations.NullMarked
package io.daosmesh.cli.node;
