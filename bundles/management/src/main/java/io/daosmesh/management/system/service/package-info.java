/** The management service: what its leader answers and does about members and pools. */
@NullMarked
package io.daosmesh.management.system.service;

import org.jspecify.annotations.NullMarked;
