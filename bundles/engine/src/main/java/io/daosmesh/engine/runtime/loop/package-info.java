/** A target on its event loop, and the proxy that others hold. */
@NullMarked
package io.daosmesh.engine.runtime.loop;

import org.jspecify.annotations.NullMarked;
