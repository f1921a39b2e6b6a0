/** Credentials: what an agent says about the user of a client, signed. */
@NullMarked
package io.daosmesh.transport.credential;

import org.jspecify.annotations.NullMarked;
