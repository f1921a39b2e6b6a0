/** How a client's requests are sent, and sent again: what it knows of servers and pools, object I/O. */
@org.jspecify.annotations.NullMarked
package io.daosmesh.client.request;
