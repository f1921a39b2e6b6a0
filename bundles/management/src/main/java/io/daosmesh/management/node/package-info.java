/** Management of one node, wired together, and its ranks. */
@NullMarked
package io.daosmesh.management.node;

import org.jspecify.annotations.NullMarked;
