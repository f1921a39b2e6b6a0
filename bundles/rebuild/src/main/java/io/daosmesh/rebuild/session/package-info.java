/** A rank's share of a rebuild, step by step. Pure. */
@NullMarked
package io.daosmesh.rebuild.session;

import org.jspecify.annotations.NullMarked;
