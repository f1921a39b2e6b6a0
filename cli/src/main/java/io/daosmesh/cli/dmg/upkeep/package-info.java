/** dmg's commands that keep the system and its pools in order. */
@org.jspecify.annotations.NullMarked
package io.daosmesh.cli.dmg.upkeep;
