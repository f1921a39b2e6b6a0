/** What a command of dmg sees of the tool. */
@org.jspecify.annotations.NullMarked
package io.daosmesh.cli.dmg.screen;
