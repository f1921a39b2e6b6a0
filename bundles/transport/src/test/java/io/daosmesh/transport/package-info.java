/** Contract of the ports {@code Rpc} and {@code RpcServer} on real sockets. */
package io.daosmesh.transport;
