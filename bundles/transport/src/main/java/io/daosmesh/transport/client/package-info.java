@NullMarked
package io.daosmesh.transport.client;

import org.jspecify.annotations.NullMarked;
