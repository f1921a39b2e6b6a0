/** Maps of this node: kept, pushed to others, streamed to clients. */
@NullMarked
package io.daosmesh.management.maps;

import org.jspecify.annotations.NullMarked;
