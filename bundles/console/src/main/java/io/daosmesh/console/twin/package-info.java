/** The commands of dmg as commands of the console, made from one tree. See docs/decisions/0049. */
@NullMarked
package io.daosmesh.console.twin;

import org.jspecify.annotations.NullMarked;
