/** Requests that wait too long: when another replica is asked, and when it is looked who is to be asked now. */
@org.jspecify.annotations.NullMarked
package io.daosmesh.client.hedge;
