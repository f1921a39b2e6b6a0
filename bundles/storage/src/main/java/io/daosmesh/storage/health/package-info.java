/** Device states and error counting. Pure. */
@NullMarked
package io.daosmesh.storage.health;

import org.jspecify.annotations.NullMarked;
