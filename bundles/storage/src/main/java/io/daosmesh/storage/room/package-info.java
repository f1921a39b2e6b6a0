/** How much of the SCM's file system is left, and what may be done with it. */
@NullMarked
package io.daosmesh.storage.room;

import org.jspecify.annotations.NullMarked;
