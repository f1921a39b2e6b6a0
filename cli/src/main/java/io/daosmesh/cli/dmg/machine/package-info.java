/** Commands of dmg about the machines below the system. */
@org.jspecify.annotations.NullMarked
package io.daosmesh.cli.dmg.machine;
