@NullMarked
package io.daosmesh.transport.tls;

import org.jspecify.annotations.NullMarked;
