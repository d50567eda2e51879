-- beside what form 1 holds: one message, posted
INSERT INTO posts VALUES ('slack', 'C1', 'i-1', 0, 1790000000000000000,
  '{"key":{"platform":"slack","channel":"C1","subject":"i-1"},"nonce":"n1","state":{"is":"posted","message":"1.2","thread":null},"shown":null,"notes":{"told":4,"sending":null},"reposted":0,"text":"","route":"all","since":"2026-09-21T14:13:20Z","changed":"2026-09-21T14:13:20Z","settled":false}');
