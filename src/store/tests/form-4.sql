-- Somebody waits for an answer; Slack was heard; somebody is in a group.
INSERT INTO owed VALUES('slack', 'trigger 1.2', 1790000000000000000, 4000000000000000000, '{"key":"trigger 1.2"}');
INSERT INTO heard VALUES('slack', 1790000000000000000);
INSERT INTO members VALUES('slack', 'U1', 1790000000000000000, '["S1"]');
