@NullMarked
package io.daosmesh.management.log;

import org.jspecify.annotations.NullMarked;
