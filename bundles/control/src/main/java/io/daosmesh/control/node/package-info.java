/** The node's control plane: status, storage, drivers, log masks, life with its parent process. */
@NullMarked
package io.daosmesh.control.node;

import org.jspecify.annotations.NullMarked;
