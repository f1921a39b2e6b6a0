@NullMarked
package io.daosmesh.transport.server;

import org.jspecify.annotations.NullMarked;
