/** What every part of management stands on: its thread, its node, the way to leaders. */
@NullMarked
package io.daosmesh.management.loop;

import org.jspecify.annotations.NullMarked;
