/** The service of a pool: what its leader answers and does about targets, handles and replicas. */
@NullMarked
package io.daosmesh.management.pool.service;

import org.jspecify.annotations.NullMarked;
