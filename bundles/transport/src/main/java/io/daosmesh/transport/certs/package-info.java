@NullMarked
package io.daosmesh.transport.certs;

import org.jspecify.annotations.NullMarked;
