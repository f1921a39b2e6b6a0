@NullMarked
package io.daosmesh.licences;

import org.jspecify.annotations.NullMarked;
