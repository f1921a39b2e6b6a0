@NullMarked
package io.daosmesh.management.runtime;

import org.jspecify.annotations.NullMarked;
