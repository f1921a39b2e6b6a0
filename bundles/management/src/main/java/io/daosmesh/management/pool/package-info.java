@NullMarked
package io.daosmesh.management.pool;

import org.jspecify.annotations.NullMarked;
