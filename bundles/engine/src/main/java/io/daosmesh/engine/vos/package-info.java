/** The versioned object store of a target: records under epochs over an ordered key-value store and a blob. Pure. */
@NullMarked
package io.daosmesh.engine.vos;

import org.jspecify.annotations.NullMarked;
