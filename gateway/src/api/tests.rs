//! Claims about the API, by single calls of the router, without a socket.
