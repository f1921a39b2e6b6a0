/** Records in and out for rebuild, and the fence before it. */
@NullMarked
package io.daosmesh.engine.migrate;

import org.jspecify.annotations.NullMarked;
