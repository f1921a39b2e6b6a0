/** The log of an engine on its SCM, with the thread that makes it durable. */
@NullMarked
package io.daosmesh.storage.log.runtime;

import org.jspecify.annotations.NullMarked;
