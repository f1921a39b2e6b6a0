/** What {@code dmg system events} does with the events of several nodes. */
@NullMarked
package io.daosmesh.cli.events;

import org.jspecify.annotations.NullMarked;
