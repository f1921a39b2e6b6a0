/** Which container handles a rank knows, and which it asks about. Pure. */
@NullMarked
package io.daosmesh.engine.access;

import org.jspecify.annotations.NullMarked;
